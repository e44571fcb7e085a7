# maemae without make: the versions of requirements.lock, then the folders, run by a user who is not root.
# Run it with --init (compose: init: true): something must reap PostgreSQL after a crash.
FROM python:3.13-slim

# A user with a name: PostgreSQL refuses root, and a number that nobody is called by.
RUN useradd --create-home --uid 10001 maemae \
    && install --directory --owner maemae --group maemae --mode 0700 /var/lib/maemae

WORKDIR /opt/maemae
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement requirements.lock

COPY LICENSE pyproject.toml prefect.yaml ./
COPY trading trading
COPY strategies strategies
COPY risk risk
COPY backtest backtest
COPY adapters adapters
COPY plugins plugins
COPY tasks tasks
COPY flows flows
COPY sql sql
COPY deployments deployments
RUN pip install --no-cache-dir --no-deps --no-index --no-build-isolation --editable . \
    && python -m compileall -q .

# Which code this is, because no git is here: docker build --build-arg COMMIT=$(git rev-parse HEAD)
ARG COMMIT=""
ENV MAEMAE_COMMIT=$COMMIT \
    MAEMAE_HOME=/var/lib/maemae \
    NUMBA_CACHE_DIR=/var/lib/maemae/compiled \
    PREFECT_PLUGINS_ENABLED=1 \
    PREFECT_SERVER_ANALYTICS_ENABLED=0 \
    PYTHONUNBUFFERED=1
USER 10001
VOLUME /var/lib/maemae

HEALTHCHECK --interval=30s --timeout=20s --start-period=90s CMD ["maemae", "status"]
ENTRYPOINT ["maemae"]
CMD ["up"]
