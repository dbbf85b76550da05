"""What is on a machine before its document begins, beside what other documents set up."""
