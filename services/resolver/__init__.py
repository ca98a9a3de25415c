"""The resolver: whose signal is this? The single writer of contacts.

consumes   contact.signals.normalized.v1, contact.signals.normalized.bulk.v1, contact.commands.v1
           contact.events.v1, by its matcher (`python -m services.resolver.matcher`)
produces   contact.events.v1, by its relay (`python -m services.resolver.relay`)
owns       schema `contact`
"""
