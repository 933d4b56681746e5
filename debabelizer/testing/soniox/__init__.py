"""A simulated Soniox service on loopback: real-time WebSocket and file API, with every fault on demand."""

from __future__ import annotations

from debabelizer.testing.script import CodedWords, Script, SpokenWord
from debabelizer.testing.soniox.behaviour import Behaviour
from debabelizer.testing.soniox.errors import ERRORS, ErrorReply
from debabelizer.testing.soniox.faults import Fault
from debabelizer.testing.soniox.log import ConnectionLog, FrameLog, SentLog
from debabelizer.testing.soniox.protocol import SonioxSession
from debabelizer.testing.soniox.rest_gate import RestFault
from debabelizer.testing.soniox.server import SonioxSimulator

__all__ = [
    "ERRORS",
    "Behaviour",
    "CodedWords",
    "ConnectionLog",
    "ErrorReply",
    "Fault",
    "FrameLog",
    "RestFault",
    "Script",
    "SentLog",
    "SonioxSession",
    "SonioxSimulator",
    "SpokenWord",
]
