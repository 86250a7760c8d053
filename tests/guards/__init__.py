"""The guards that protect C1 to C6, for mutate.py to take away: in words, where they stand, and what must notice.

Each is the guard in words, the file, what is there, what is put in its place (GONE: whether this guard is gone), which of
the invariants may notice first (or the story of the test binary that does), and further places of the same guard.
"""

from .beyond import BEYOND
from .places import DOMAIN
from .requests import REQUESTS

GUARDS = [*REQUESTS, *BEYOND]

__all__ = ["DOMAIN", "GUARDS"]
