"""Every metric of every service, declared once and documented; `docs/metrics.md` is made from here.

Names are base units in snake case.  Labels never hold a tenant, a workspace, a contact or anything
personal; `partition` appears on lag only.  A label's possible values are in its help text.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Buckets of work within one process, seconds."""

# Every stage of the pipeline, set by shared.kafka.delivery; `stage` is the consumer group.

MESSAGES: Final = Counter(
    "pipeline_messages_total",
    "Messages taken from Kafka, by consumer group and outcome: ok, dead_letter.",
    ("stage", "outcome"),
)
BATCH_SECONDS: Final = Histogram(
    "pipeline_batch_duration_seconds",
    "From the first attempt at a batch to its offsets being committed, retries included.",
    ("stage",),
    buckets=_SECONDS,
)
BATCH_SIZE: Final = Histogram(
    "pipeline_batch_size",
    "Records in a batch.",
    ("stage",),
    buckets=(1, 5, 10, 25, 50, 100, 250, 500, 1000),
)
END_TO_END_SECONDS: Final = Histogram(
    "pipeline_end_to_end_seconds",
    "Age of a message when it takes effect, from kith first seeing it; "
    "path: event (on contact.events.v1), read_model, search, graph.",
    ("path",),
    buckets=(
        *(0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75),
        *(1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0),
    ),
)

# Kafka, set by shared.kafka.

LAG_RECORDS: Final = Gauge(
    "consumer_lag_records",
    "Records behind the end of an assigned partition that are not applied yet.",
    ("group", "topic", "partition"),
)
LAG_SECONDS: Final = Gauge(
    "consumer_lag_seconds",
    "Age of the last applied record while there is lag, 0 without lag.",
    ("group", "topic", "partition"),
)
ASSIGNED_PARTITIONS: Final = Gauge(
    "consumer_assigned_partitions", "Partitions this process reads.", ("group", "topic")
)
PAUSED_PARTITIONS: Final = Gauge(
    "consumer_paused_partitions",
    "Partitions not read on purpose: their offsets in the database are not known yet.",
    ("group", "topic"),
)
REBALANCES: Final = Counter(
    "consumer_rebalances_total", "Assignments taken away or given anew.", ("group", "topic")
)
COMMIT_FAILURES: Final = Counter(
    "consumer_commit_failures_total",
    "Offset commits that failed; the records are read again and change nothing.",
    ("group", "topic"),
)
DELIVERY_RETRIES: Final = Counter(
    "delivery_retries_total",
    "Attempts at a batch that will be repeated; class: transient, source_unavailable.",
    ("stage", "class"),
)
DEAD_LETTERS: Final = Counter(
    "dead_letters_total",
    "Messages set aside on a dead-letter topic, by the reason that `kith dead` shows.",
    ("topic", "group", "reason"),
)
PRODUCED: Final = Counter(
    "producer_messages_total",
    "Messages handed to Kafka, by topic; outcome: acknowledged, failed.",
    ("topic", "outcome"),
)

# Ingest.

INGESTED_SIGNALS: Final = Counter(
    "ingest_signals_total",
    "Signals by source, way in (topic, push, file) and verdict: accepted, or the reason why not, "
    "as `kith dead` names it. Sources beyond the first 50 are other; one that cannot be read is "
    "unread.",
    ("source", "way", "verdict"),
)
INGEST_SOURCE_AGE_SECONDS: Final = Histogram(
    "ingest_source_age_seconds",
    "How long signals lay on the topic until ingest passed them on: the oldest of each source and "
    "batch.",
    ("source",),
    buckets=(0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0),
)
MAIL_LEFT_OUT: Final = Counter(
    "ingest_mail_left_out_total",
    "Messages that did not become activities; reason: again, automatic, bot, chat, draft, list, "
    "no_reply, no_sender, nobody_else, spam, undated.",
    ("reason",),
)
REMOTE_RUNS: Final = Counter(
    "ingest_remote_runs_total",
    "Runs over accounts elsewhere, by kind (gmail, outlook_mail, unknown) and outcome: ok, "
    "consent_withdrawn, refused, unavailable, rate_limited, bad_answer, unreadable_credentials, "
    "error.",
    ("kind", "outcome"),
)
REMOTE_SIGNALS: Final = Counter(
    "ingest_remote_signals_total",
    "Signals that accounts elsewhere led to, by kind: gmail, outlook_mail.",
    ("kind",),
)

# Resolver and its relay.

GATE_RESULTS: Final = Counter(
    "gate_results_total",
    "Signals by what the gate made of them: created, updated, duplicate, stale; company of those "
    "about companies alone; and candidate.",
    ("result",),
)
RECONSIDERATION_STEPS: Final = Counter(
    "reconsideration_steps_total",
    "Steps taken to part what a value had joined that turned out to be shared.",
    (),
)
FILES_SHARE: Final = Gauge(
    "files_share_ratio",
    "How much of its time this resolver gives signals from files: 1 while no live signals flow.",
)
RECONSIDERATIONS_PENDING: Final = Gauge(
    "reconsiderations_pending", "Contacts that wait to be parted: a shared value had joined them."
)
SNAPSHOTS: Final = Counter(
    "snapshots_total", "Contacts of whose state a snapshot was taken, for reading the past.", ()
)
ACTIVITIES: Final = Counter(
    "activities_total",
    "Activities by what the ledger made of them: new, newer, duplicate, stale.",
    ("result",),
)
MATCHES: Final = Counter(
    "matches_total",
    "Pairs of contacts by what matching made of them: merge, flag (merged, to be looked at), "
    "review; and part: contacts that came apart again.",
    ("action",),
)
SETTLED: Final = Counter(
    "settled_contacts_total",
    "Contacts decided about again since their tenant has grown: values tell other things by now.",
    (),
)
SETTLING_PENDING: Final = Gauge(
    "settling_pending",
    "Contacts that wait to be decided about again: their tenant has grown since. At most 10,000.",
)
MERGE_CANDIDATES_PENDING: Final = Gauge(
    "merge_candidates_pending", "Possible duplicates that wait for a person."
)
OUTBOX_PENDING_ROWS: Final = Gauge("outbox_pending_rows", "Events not yet published.", ("shard",))
OUTBOX_OLDEST_AGE_SECONDS: Final = Gauge(
    "outbox_oldest_age_seconds", "Age of the oldest event not yet published.", ("shard",)
)
OUTBOX_PUBLISHED: Final = Counter(
    "outbox_published_total", "Events published from the outbox.", ("shard",)
)
RELAY_IS_LEADER: Final = Gauge(
    "relay_is_leader", "1 while this relay holds the lease of the shard.", ("shard",)
)
OLDEST_WRITING_XACT_SECONDS: Final = Gauge(
    "pg_oldest_writing_xact_age_seconds",
    "Age of the oldest transaction that holds back publication and vacuum.",
)

# Enricher.

ENRICHMENT_REQUESTS: Final = Counter(
    "enrichment_requests_total",
    "Enrichment requests that came to an end, by source (the vendor) and outcome: success, or the "
    "reason they failed (services/enricher/domain/lifecycle.py).",
    ("source", "outcome"),
)
VENDOR_REQUESTS: Final = Counter(
    "vendor_requests_total",
    "Calls to a vendor; status is the HTTP status, or timeout, connection, garbage.",
    ("vendor", "status"),
)
VENDOR_SECONDS: Final = Histogram(
    "vendor_latency_seconds", "Duration of a call to a vendor.", ("vendor",), buckets=_SECONDS
)

# HTTP ways in, set by shared.limits and shared.entrance.

RATE_LIMITED: Final = Counter(
    "http_rate_limited_total",
    "Requests refused with 429, by the limit that refused: key, key-day, user, workspace.",
    ("limit",),
)
LIMITS_UNSHARED: Final = Counter(
    "http_limits_unshared_total",
    "Requests whose limits a replica counted by itself, since Redis is away.",
)
IDEMPOTENT_REQUESTS: Final = Counter(
    "http_idempotent_requests_total",
    "Requests with an Idempotency-Key: new, done (answered again), running (409), differs (422).",
    ("outcome",),
)

# Api.

EXPORTED_CONTACTS: Final = Counter(
    "api_exported_contacts_total",
    "Contacts written into files, by format: csv, xlsx, vcard, vcard3, json.",
    ("format",),
)

# HTTP and the process, set by shared.process.

HTTP_REQUESTS: Final = Counter(
    "http_requests_total",
    "HTTP requests by route template and status class (2xx, 4xx, 5xx).",
    ("route", "status"),
)
HTTP_SECONDS: Final = Histogram(
    "http_request_duration_seconds", "Duration of an HTTP request.", ("route",), buckets=_SECONDS
)
LOOP_LAG_SECONDS: Final = Gauge(
    "event_loop_lag_seconds", "Longest delay of a timer on the event loop in the last 5 seconds."
)
