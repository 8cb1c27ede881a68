"""The reference subjects: an emitter that conforms to the contract, and a silent one."""
