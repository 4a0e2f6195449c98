"""A clock that moves only when told to."""

__all__ = ["FakeClock"]


class FakeClock:
    """Pass it as `clock=`; it starts at `now_seconds`."""

    def __init__(self, now_seconds: float = 0.0) -> None:
        self.now_seconds = now_seconds

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now_seconds

    def advance(self, seconds: float) -> None:
        """Lets time pass."""
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds} s")
        self.now_seconds += seconds
