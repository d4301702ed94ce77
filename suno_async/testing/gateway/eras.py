"""The two generations of the gateway software: what each says, and how.

Every text here was observed on the running software (new-api of 2025-04 and of 2026-06) or read in its source.
"""

from typing import Final, Literal

from msgspec import Struct

EraName = Literal["2026", "2025"]


class Era(Struct, frozen=True, kw_only=True):
    """What one generation says where the other says something else."""

    name: EraName
    rows_per_round: int  # TASK_QUERY_LIMIT of 2026; Limit(500) of 2025
    error_code: bool  # 2026 adds "code" to the errors of its middleware
    version: dict[str, str]  # headers on every answer
    submit_headers: dict[str, str]  # headers on submissions that were accepted
    refusal_headers: dict[str, str]  # headers on submissions that the upstream answered, but refused
    submit_type: str
    no_key: str
    bad_key: str
    spent_key: str
    no_access: str
    no_channel: str
    no_channel_code: str
    no_credit: tuple[str, str]
    logged: int | None  # rows of GET /api/log/token at most: MaxRecentItems of 2026
    charge_logged: str  # what the log says of a charge
    account: dict[str, str]  # what the routes about the account say


ERAS: Final[dict[str, Era]] = {
    "2026": Era(
        name="2026",
        rows_per_round=1000,
        error_code=True,
        version={"X-New-Api-Version": "v1.0.0"},
        submit_headers={"X-New-Api-Other-Ratios": "{}"},
        refusal_headers={"X-New-Api-Other-Ratios": "{}"},
        submit_type="application/json; charset=utf-8",
        no_key="Invalid token",
        bad_key="Invalid token",
        spent_key="Invalid token",
        no_access="This token has no access to model {model}",
        no_channel="No available channel for model {model} under group default (distributor)",
        no_channel_code="model_not_found",
        no_credit=("insufficient_user_quota", "user quota is not enough"),
        logged=1000,
        charge_logged="操作 {action}",
        account={
            "no_key": "Token not provided",
            "bad_key": "Invalid token",
            "bad_header": "Invalid Bearer token",
            "no_info": "Failed to get token info, please try again later",
            "no_access_token": "Unauthorized, not logged in and no access token provided",
            "bad_access_token": "Unauthorized, invalid access token",
            "no_user": "Unauthorized, New-Api-User header not provided",
            "bad_user": "Unauthorized, New-Api-User header format error",
            "other_user": "Unauthorized, New-Api-User does not match logged in user",
        },
    ),
    "2025": Era(
        name="2025",
        rows_per_round=500,
        error_code=False,
        version={},
        submit_headers={"X-Up": "1"},  # 2025 copies all headers of its upstream through
        refusal_headers={},
        submit_type="application/json",
        no_key="未提供令牌",
        bad_key="无效的令牌",
        spent_key="[{masked}] 该令牌额度已用尽 !token.UnlimitedQuota && token.RemainQuota = {remain}",
        no_access="该令牌无权访问模型 {model}",
        no_channel="当前分组 default 下对于模型 {model} 无可用渠道",
        no_channel_code="",
        no_credit=("quota_not_enough", "user quota is not enough"),
        logged=None,
        charge_logged="模型固定价格 {price:.2f}，分组倍率 1.00，操作 {action}",
        account={
            "no_access_token": "无权进行此操作，未登录且未提供 access token",
            "bad_access_token": "无权进行此操作，access token 无效",
            "no_user": "无权进行此操作，未提供 New-Api-User",
            "bad_user": "无权进行此操作，New-Api-User 格式错误",
            "other_user": "无权进行此操作，New-Api-User 与登录用户不匹配",
        },
    ),
}
