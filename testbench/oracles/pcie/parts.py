"""What the run shows, and on what: (test, which models, what it shows)."""

PUBLISHED = "published models"
OWN_HOST = "own subclass of root complex"
OWN_BOTH = "own subclasses of device and root complex"

PARTS = [
    ("registers", PUBLISHED, "enumeration, BAR 0, identity, accesses of 2, 4 and 8 bytes, those that are refused"),
    ("rings", PUBLISHED, "commands read, completions, record headers and payloads written, RQ not always ready"),
    ("interrupts", PUBLISHED, "a vector for each ring behind its index, masks of vector and function, pending bits, moderation"),
    ("bus_master_off", PUBLISHED, "nothing on RQ, the card disarmed; on again"),
    ("unsupported_reads", PUBLISHED, "host memory that is not there: UR"),
    ("bad_completions", OWN_HOST, "poisoned, UR and CA among good ones"),
    ("time_outs", OWN_BOTH, "completions that never come, or too late"),
    ("function_level_reset", OWN_BOTH, "reset with reads under way, and the card after it"),
]
