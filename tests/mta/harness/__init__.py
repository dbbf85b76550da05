"""Fake DNS and SMTP worlds, root filesystems and namespaces in which unmodified mail servers are run and compared."""
