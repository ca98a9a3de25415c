"""The resolver: whose signal is this? The single writer of contacts.

consumes   contact.signals.normalized.v1, contact.signals.normalized.bulk.v1, contact.commands.v1
produces   contact.events.v1, by its second process, the relay (`python -m services.resolver.relay`)
owns       schema `contact`
"""
