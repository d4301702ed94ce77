"""The register: who is in it."""

from suno_async.engine.register import Register
from suno_async.protocol.life import Life


def test_the_register_knows_its_lives():
    """Lives are found by id, counted, gone through and taken out."""
    register: Register[Life] = Register()
    names = [f"t{number}" for number in range(500)]
    lives = [Life(task_id=name, born=0.0) for name in names]
    for life in lives:
        register.add(life)
    assert len(register) == 500
    assert {life.task_id for life in register} == set(names)
    assert register.get("t7") is lives[7]
    assert register.pop("t7") is lives[7]
    assert register.pop("t7") is None
    assert register.get("t7") is None
    assert len(register) == 499
