"""All scenarios, in the order in which they are listed and run."""

from scenarios import (abi, bounces, bounces_other, check_faults, check_others, collect, command_check, command_forward,
                       command_report, containers, control, debian_13, delivered, delivered_other, exim, exim_debian, faults, from_source,
                       help_examples, hostile_bytes, incomplete_mirror, nothing_left, other_reports, packages_debian,
                       packages_installed, packages_other, record_probe, requirements, sendmail, service_manager, unmodified,
                       whole, whole_way)

# The first two need different root filesystems: with an empty cache, both are made at the same time.
ALL = (unmodified.SCENARIOS + requirements.SCENARIOS + debian_13.SCENARIOS + control.SCENARIOS + from_source.SCENARIOS
       + whole_way.SCENARIOS + delivered.SCENARIOS + delivered_other.SCENARIOS + bounces.SCENARIOS
       + bounces_other.SCENARIOS
       + faults.SCENARIOS + hostile_bytes.SCENARIOS + abi.SCENARIOS + nothing_left.SCENARIOS + incomplete_mirror.SCENARIOS
       + command_check.SCENARIOS + check_faults.SCENARIOS + check_others.SCENARIOS + command_report.SCENARIOS
       + command_forward.SCENARIOS + record_probe.SCENARIOS + help_examples.SCENARIOS + collect.SCENARIOS
       + service_manager.SCENARIOS + exim.SCENARIOS
       + exim_debian.SCENARIOS + sendmail.SCENARIOS + other_reports.SCENARIOS + containers.SCENARIOS)

# These take long, and run only when they are named.
SEPARATE = packages_debian.SCENARIOS + packages_installed.SCENARIOS + packages_other.SCENARIOS + whole.SCENARIOS
