# syntax=docker/dockerfile:1
# One recipe for every service; the command picks which:
#   docker run kith:0.1.0 services.resolver          docker run kith:0.1.0 kith migrate
#
# The base is pinned by tag. A release pipeline pins it by digest
# (--build-arg PYTHON=python:3.11.14-slim-bookworm@sha256:…): the digest is the registry's to say.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS builder
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY deploy/requirements.txt ./
RUN pip wheel --require-hashes --wheel-dir /wheels --requirement requirements.txt
COPY pyproject.toml README.md ./
COPY shared ./shared
COPY services ./services
COPY kith ./kith
RUN pip wheel --no-deps --wheel-dir /wheels . \
    && python -m venv --without-pip /opt/kith \
    && pip --python /opt/kith/bin/python install --no-index --no-deps --no-compile /wheels/*.whl \
    # Bytecode is made here, since the root file system is read-only where this runs.
    && /opt/kith/bin/python -m compileall -q -j 0 /opt/kith/lib

FROM ${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kith" \
      org.opencontainers.image.description="Contact signals from many sources, resolved into one trustworthy record per person." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The base brings pip; nothing is installed once the image is built.
RUN pip uninstall --yes --root-user-action=ignore setuptools wheel pip \
    && groupadd --gid 10001 kith \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin kith
COPY --from=builder /opt/kith /opt/kith
ENV PATH=/opt/kith/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONFAULTHANDLER=1 \
    PYTHONSAFEPATH=1 \
    HTTP_HOST=0.0.0.0 \
    HTTP_PORT=8080
WORKDIR /opt/kith
# Numeric, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8080
# Progress only: what a service depends on is /readyz's business, and no reason to restart it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['HTTP_PORT'] + '/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
# Exec form: Python is the process that hears SIGTERM, and drains (15 s at most).
ENTRYPOINT ["python", "-m"]
CMD ["services.api"]
