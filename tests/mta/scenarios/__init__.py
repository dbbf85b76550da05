"""All scenarios, in the order in which they are listed and run."""

from scenarios import control, unmodified

ALL = control.SCENARIOS + unmodified.SCENARIOS
