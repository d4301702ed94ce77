"""The settlement: unknown submissions are settled with what the gateway's own accounts say of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from ..engine.lane import Lane
from ..protocol.accounts import FIRST_PAGE, MOST_PAGES, Made, ask_charges, ask_made, read_charges, read_made
from ..protocol.adoption import by_tasks, windows
from ..protocol.errors import SunoError
from ..protocol.exchange import Account, Answer, Broken, Request
from ..protocol.intents import Intent, IntentState
from ..protocol.reconciliation import Finding, Verdict, by_charges, undecided

if TYPE_CHECKING:
    from ..engine.journal import Journal

_STATES = {Finding.ADOPTED: IntentState.ACCEPTED, Finding.NOT_CHARGED: IntentState.REJECTED}


class Settlement:
    """Asks for the charges of this key and, with an access token, for the tasks of its user."""

    def __init__(self, lane: Lane, journal: "Journal", timeout: float) -> None:
        self._lane = lane
        self._journal = journal
        self._timeout = timeout

    async def settle(self, unknown: Sequence[Intent], account: Account | None, *, exclusive: bool) -> list[Verdict]:
        """A verdict for each of these intents; what is decided is written down."""
        verdicts: dict[str, Verdict] = {}
        if account is not None:
            await self._note(verdicts, await self._by_tasks(unknown, account, exclusive=exclusive))
        adopted = {name for name, verdict in verdicts.items() if verdict.finding is Finding.ADOPTED}
        if rest := [intent for intent in unknown if intent.intent_id not in adopted]:
            await self._note(verdicts, await self._by_charges(rest, exclusive=exclusive))
        return [verdicts[intent.intent_id] for intent in unknown if intent.intent_id in verdicts]

    async def _by_tasks(self, unknown: Sequence[Intent], account: Account, *, exclusive: bool) -> list[Verdict]:
        now = _now()
        told = await self._made(unknown, account)
        kept = await self._journal.intents()
        judged = _still(unknown, kept)
        if isinstance(told, str):
            return undecided(judged, f"the account's tasks: {told}")
        made, ahead = told
        return by_tasks(judged, kept, made, await self._journal.task_ids(), ahead, now, exclusive=exclusive)

    async def _made(self, unknown: Sequence[Intent], account: Account) -> tuple[list[Made], float] | str:
        """The account's tasks of their times, and how far its clock is ahead of ours; or why there are none."""
        made: list[Made] = []
        asked, ahead = 0, 0.0
        for window in windows(unknown):
            page: int | None = FIRST_PAGE
            while page is not None:
                if asked == MOST_PAGES:
                    return "they are too many to be told apart"
                request = ask_made(window.start, window.end, page)
                found = read_made(await self._ask(msgspec.structs.replace(request, account=account)), page)
                if isinstance(found, str):
                    return found
                # an answer that took its time makes this too little, and what has begun too early does no harm
                ahead = found.now - _now()
                made += found.tasks
                asked, page = asked + 1, found.after
        return made, ahead

    async def _by_charges(self, unknown: Sequence[Intent], *, exclusive: bool) -> list[Verdict]:
        # once for all of them: some gateways answer this twenty times in twenty minutes
        now, key = _now(), self._journal.key()
        charges = read_charges(await self._ask(ask_charges()))
        # read after it was told, so that whatever is in it was written down here before
        kept = await self._journal.intents()
        judged = _still(unknown, kept)
        if isinstance(charges, str):
            return undecided(judged, f"the log of this key: {charges}")
        if self._journal.key() is not key:
            return undecided(judged, "another key was taken into use meanwhile: ask again")
        fitting = {text for text in {intent.fingerprint for intent in kept} if key.fits(text)}
        return by_charges(judged, kept, charges, now, fingerprints=fitting, exclusive=exclusive)

    async def _ask(self, request: Request) -> Answer | Broken:
        try:
            return await self._lane.once(request, self._timeout)
        except SunoError as error:
            # what closed the gate for everybody
            return Broken(str(error))

    async def _note(self, verdicts: dict[str, Verdict], found: Sequence[Verdict]) -> None:
        """Takes these verdicts over, and writes down what was decided; what was not stays as it is."""
        change = msgspec.structs.replace
        for verdict in found:
            intent, state = verdict.intent, _STATES.get(verdict.finding)
            if state is None:
                earlier = verdicts.get(intent.intent_id)
                both = f"{earlier.evidence}; {verdict.evidence}" if earlier else verdict.evidence
                verdicts[intent.intent_id] = change(verdict, evidence=both)
                continue
            settled = change(intent, state=state, task_id=verdict.task_id, reason=verdict.evidence)
            if await self._journal.settle(intent, settled):
                verdicts[intent.intent_id] = verdict


def _still(unknown: Sequence[Intent], kept: Sequence[Intent]) -> list[Intent]:
    """Those that are kept just as they were."""
    same = {intent.intent_id: intent for intent in kept}
    return [intent for intent in unknown if same.get(intent.intent_id) == intent]


def _now() -> float:
    return datetime.now(UTC).timestamp()
