"""Faults of the signatures that dkimpy-milter gives to report mails, for `tlsrpt check --postfix`."""

from harness import check_milter_faults

NAME = "dkimpy-milter"

ALL = check_milter_faults.of_settings(NAME) + check_milter_faults.of_any(NAME)
SOUND = check_milter_faults.SOUND
