"""REST APIs: one client for every provider, with deadlines, typed errors and uploads of any size."""

from __future__ import annotations

from debabelizer.rest.answers import Answer, Event
from debabelizer.rest.bodies import Body, Fields, Form, Json, Raw
from debabelizer.rest.client import Fault, RestClient, open_session, status_fault
from debabelizer.rest.containers import Container
from debabelizer.rest.tries import Sleep, any_failure, not_begun, retrying
from debabelizer.rest.upload import Upload, prepared
from debabelizer.rest.watch import Watch

__all__ = [
    "Answer",
    "Body",
    "Container",
    "Event",
    "Fault",
    "Fields",
    "Form",
    "Json",
    "Raw",
    "RestClient",
    "Sleep",
    "Upload",
    "Watch",
    "any_failure",
    "not_begun",
    "open_session",
    "prepared",
    "retrying",
    "status_fault",
]
