"""Pure decisions: signals and what is known about them in, a plan out."""
