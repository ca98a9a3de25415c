"""The api: answers readers over HTTP, JSON:API 1.1.

consumes  nothing from Kafka
produces  nothing yet
reads     schemas `read` and `search`, the event table `contact.contact_event`; for exports what
          the current source records say (`app.find_facts`)
owns      schema `app`: tenants, workspaces, API keys, what was done with dead letters
"""
