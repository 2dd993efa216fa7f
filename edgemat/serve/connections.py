"""Connections that do not stay open for nothing: each request's head must come in time."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_S = 5.0
"""For a request to begin, and its head to arrive."""


class PromptProtocol(H11Protocol):
    """HTTP that hangs up on who says nothing, or says it a byte at a time.

    uvicorn waits for ever, and of some such connections nobody else would be served.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._expect_another_than(self.cycle)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        answered = self.cycle
        super().on_response_complete()
        self._expect_another_than(answered)

    def _expect_another_than(self, cycle: RequestResponseCycle | None) -> None:
        self.loop.call_later(HEAD_S, self._hang_up_if_still, cycle)

    def _hang_up_if_still(self, cycle: RequestResponseCycle | None) -> None:
        if self.cycle is cycle:
            self.transport.close()
