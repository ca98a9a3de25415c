"""The indexer: carries contacts into search and into the graph, at its own pace.

consumes  `contact.events.v1`, groups `indexer-search`, `indexer-graph`, `indexer-meilisearch`,
          `indexer-state`
produces  `contact.state.v1`
owns      schema `search`, the graph in Neo4j, the index in Meilisearch: all may be dropped
reads     `contact.contact_event`, `app.tenant`, `app.workspace`, `read.projection_state`
"""
