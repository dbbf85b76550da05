"""Fake DNS and mail servers, root filesystems and namespaces, in which unmodified mail servers are run and compared."""
