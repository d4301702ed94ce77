"""The command that serves: a local gateway in the foreground."""

from asyncio import CancelledError
from contextlib import AsyncExitStack, suppress
from typing import Annotated

import anyio
from cyclopts import Parameter
from cyclopts.validators import Number

from ...testing.gateway import Gateway
from ...testing.gateway.eras import EraName
from ...testing.gateway.server import ProfileName
from .exits import DONE, UsageError
from .running import run
from .words import say

Speed = Annotated[
    float,
    Parameter(
        help="How many times as fast as real songs are made. Its clock runs as fast, so journal reconcile needs 1.",
        validator=Number(gte=0.001, lte=1e6),
    ),
]


def gateway(
    *,
    port: Annotated[
        int,
        Parameter(
            help="Where to listen on 127.0.0.1; 0 takes a free port.",
            show_default=False,
            validator=Number(gte=0, lte=65535),
        ),
    ] = 0,
    speed: Speed = 1.0,
    seed: Annotated[str, Parameter(help="What ids, lengths, failures and faults follow from.")] = "0",
    era: Annotated[EraName, Parameter(help="The generation of new-api it behaves as.")] = "2026",
    profile: Annotated[
        ProfileName, Parameter(help="stock: new-api as it is published; private: with what gateways put on top.")
    ] = "stock",
    fault: Annotated[
        tuple[str, ...],
        Parameter(
            help="What goes wrong, and how often, such as server_error=0.1.", metavar="NAME=RATE", show_default=False
        ),
    ] = (),
) -> int:
    """Run a local gateway until Ctrl-C, which ends it with exit code 0. Prints the two lines to export."""

    async def serve() -> None:
        local = _made(port, speed, seed, era, profile, fault)
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(local)
            except OSError as error:
                raise UsageError(f"port {port} cannot be had: {error.strerror}") from None
            print(f"export SUNO_BASE_URL={local.url}\nexport SUNO_API_KEY={local.api_key}", flush=True)
            say(f"a local gateway listens on {local.url}, {speed:g} x as fast as a real one; Ctrl-C ends it")
            if speed != 1:
                say(f"its songs take as much less time: a client that learns wants pace=Scaled(Adaptive(), {speed:g})")
            await anyio.sleep_forever()

    with suppress(KeyboardInterrupt, CancelledError):
        run(serve)
    return DONE


def _made(port: int, speed: float, seed: str, era: EraName, profile: ProfileName, fault: tuple[str, ...]) -> Gateway:
    """The gateway that was asked for, not opened yet."""
    try:
        rates = {name: float(rate) for name, _, rate in (word.partition("=") for word in fault)}
    except ValueError:
        raise UsageError(f"--fault takes NAME=RATE, such as server_error=0.1, not {' '.join(fault)}") from None
    try:
        return Gateway(profile=profile, era=era, seed=seed, speed=speed, port=port, faults=rates)
    except ValueError as error:
        raise UsageError(str(error)) from None
