"""Carries a signed approval to a school's agent and says what came of it.

For the :class:`controller.trust.approvals.Workshop` of part 4, once an approval is granted.
Where the agent has not heard of the city's new keys, it is told them first, once.
"""

from controller.agent_port import AskAgent
from controller.ingest.commands import NO_ANSWER
from controller.trust.approval_model import Executed
from controller.trust.approval_signer import ApprovalSigner
from drivers.wire.commands import CommandState, Reply
from tenone.trust.approval import Refusal, SignedApproval

ACT, PIN_KEYS = "Act", "PinKeys"
"""The agent's verbs: :mod:`agents.approvals`."""
DEADLINE_SECONDS = 120.0


class ApprovalPost:
    """See the module."""

    def __init__(self, agents: AskAgent, signer: ApprovalSigner) -> None:
        self._agents = agents
        self._signer = signer

    async def execute(self, school: str, document: SignedApproval) -> Executed:
        """See :class:`controller.trust.approvals.Workshop`."""
        reply = await self._act(school, document)
        if reply.code == Refusal.UNKNOWN_KEY and await self._tell_keys(school):
            reply = await self._act(school, document)
        if reply.code == Refusal.USED and reply.asked > 1:
            # It was asked again by the wire alone: the agent was restarted after it had begun. One
            # that was asked once and says so has lost its notes (a new gateway has none for a
            # minute), and cannot have begun what it had not heard of.
            return Executed(
                good=False, answered=False, sentence="The agent had begun it and was restarted."
            )
        return Executed(
            good=reply.state is CommandState.SUCCESSFUL,
            answered=reply.code != NO_ANSWER,
            sentence=reply.message,
        )

    async def _act(self, school: str, document: SignedApproval) -> Reply:
        arguments = {"approval": document.text, "signature": document.signature.hex()}
        return await self._agents.ask(school, ACT, arguments, deadline_seconds=DEADLINE_SECONDS)

    async def _tell_keys(self, school: str) -> bool:
        told = self._signer.announcement
        if told is None:
            return False
        arguments = {"keys": told.text, "by": told.by, "signature": told.signature.hex()}
        reply = await self._agents.ask(
            school, PIN_KEYS, arguments, deadline_seconds=DEADLINE_SECONDS
        )
        return reply.state is CommandState.SUCCESSFUL
