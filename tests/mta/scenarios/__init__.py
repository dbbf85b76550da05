"""All scenarios, in the order in which they are listed and run."""

from scenarios import abi, control, faults, from_source, hostile_bytes, requirements, unmodified, whole_way

ALL = (control.SCENARIOS + unmodified.SCENARIOS + requirements.SCENARIOS + from_source.SCENARIOS + whole_way.SCENARIOS
       + faults.SCENARIOS + hostile_bytes.SCENARIOS + abi.SCENARIOS)
