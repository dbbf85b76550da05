"""The whole proof: several mail hosts, one database, a simulated day and its midnight, and two power cuts (see day.py)."""
