"""The reference subject: an emitter that conforms to the contract, and one that stays silent."""
