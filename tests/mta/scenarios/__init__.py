"""All scenarios, in the order in which they are listed and run."""

from scenarios import control, requirements, unmodified

ALL = control.SCENARIOS + unmodified.SCENARIOS + requirements.SCENARIOS
