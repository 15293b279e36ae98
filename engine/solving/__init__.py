"""Resolution with answers from indexes: the resolver itself is pure and knows none of this."""
