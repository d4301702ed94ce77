"""What can be submitted: one strict struct for each scene, with the wire's own field names.

Each checks itself when it is made: a wrong type, a NaN or a contradiction raises ConfigurationError with the field
named. ``mv`` (the model) is never checked, because the sources disagree and new ones come every month.

========  ==========================================  ==========================================================
the menu  of gateways with all of it                  the struct
========  ==========================================  ==========================================================
场景一    灵感模式                                    ``Inspiration``
场景二    自定义.歌词歌名                             ``Custom``
场景三    纯音乐.自定义                               ``Custom(make_instrumental=True)``
场景四    纯音乐.灵感模式                             ``Inspiration(make_instrumental=True)``
场景五    续写自定义音频                              ``Extend(task="upload_extend")``, then ``Concat``
场景六    续写音乐并获取完整音乐                      ``Extend``, then ``Concat``
场景七    Cover 音乐翻版                              ``Cover``
场景八    Replace Section.替换片段                    ``ReplaceSection``, then ``Concat(is_infill=True)``
场景九    Persona.歌手风格                            ``PersonaSong``
场景十    上传续写                                    ``Extend(task="upload_extend")`` of a file
also      音轨分离                                    ``Stems``
also      生成歌词                                    ``WriteLyrics``
========  ==========================================  ==========================================================
"""

from .edits import Concat, Cover, Extend, ReplaceSection, Stems
from .metadata import SLIDERS, Metadata, Slider
from .songs import Custom, Inspiration, PersonaSong, WriteLyrics
from .submissions import Submission, Submittable, submission

__all__ = [
    "SLIDERS",
    "Concat",
    "Cover",
    "Custom",
    "Extend",
    "Inspiration",
    "Metadata",
    "PersonaSong",
    "ReplaceSection",
    "Slider",
    "Stems",
    "Submission",
    "Submittable",
    "WriteLyrics",
    "submission",
]
