"""All scenarios, in the order in which they are listed and run."""

from scenarios import control, from_source, requirements, unmodified, whole_way

ALL = (control.SCENARIOS + unmodified.SCENARIOS + requirements.SCENARIOS + from_source.SCENARIOS
       + whole_way.SCENARIOS)
