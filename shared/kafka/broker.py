"""The FastStream broker: consumers only, manual acknowledgement, no argument magic."""

import logging
from typing import Final

from aiokafka.helpers import create_ssl_context
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.kafka.settings import KafkaSettings

GRACEFUL_TIMEOUT_S: Final = 8.0
"""How long a stop waits for the batch in flight, seconds; the whole stop has 15."""


def build_broker(settings: KafkaSettings) -> KafkaBroker:
    """Build a broker that only consumes; `Producer` writes, `Delivery` acknowledges.

    `consumer_only` spares the producer and admin connections that FastStream would open besides
    ours; `apply_types=False` spares the argument casting, as handlers take whole batches.
    """
    return KafkaBroker(
        settings.bootstrap_servers.split(","),
        client_id=settings.client_id,
        request_timeout_ms=settings.request_timeout_ms,
        security=_security(settings),
        ack_policy=AckPolicy.MANUAL,
        graceful_timeout=GRACEFUL_TIMEOUT_S,
        consumer_only=True,
        allow_auto_create_topics=False,
        apply_types=False,
        logger=logging.getLogger("kith.faststream"),
        log_level=logging.DEBUG,
    )


def _security(settings: KafkaSettings) -> BaseSecurity | None:
    context = None
    if settings.security_protocol.endswith("SSL"):
        context = create_ssl_context(
            cafile=settings.ssl_cafile,
            certfile=settings.ssl_certfile,
            keyfile=settings.ssl_keyfile,
        )
    if settings.uses_sasl:
        kind = {
            "PLAIN": SASLPlaintext,
            "SCRAM-SHA-256": SASLScram256,
            "SCRAM-SHA-512": SASLScram512,
        }[settings.sasl_mechanism]
        return kind(
            username=settings.sasl_username,
            password=settings.sasl_password.get_secret_value(),
            ssl_context=context,
            use_ssl=context is not None,
        )
    return BaseSecurity(ssl_context=context, use_ssl=True) if context is not None else None
