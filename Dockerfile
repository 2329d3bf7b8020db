# One image for all roles; its argument chooses: all (the default), web, worker or scheduler.
# Any other command is run as it is. The target `dashboard` is rq-dashboard, with requirements of
# its own.

# What .python-version names, which platforms take: see that both are the same.
FROM python:3.12-slim-bookworm AS base
ENV PATH=/venv/bin:$PATH \
    HOME=/app \
    PYTHONUNBUFFERED=1
WORKDIR /app
# A fixed id, so that volumes keep their owner when the image is built anew.
RUN groupadd --gid 10001 tinyimage \
    && useradd --no-log-init --uid 10001 --gid 10001 --home-dir /app --no-create-home \
    --shell /usr/sbin/nologin tinyimage

FROM base AS build-dashboard
# Without pip, which is not needed once all is installed: the base image's own does that.
RUN python -m venv --without-pip /venv
COPY requirements-dev.txt ./
# rq-dashboard needs six and does not declare it. The rest is held to the versions of the tests.
RUN /usr/local/bin/pip --python /venv/bin/python install --no-cache-dir --only-binary :all: \
    -c requirements-dev.txt rq-dashboard==0.9.0 six==1.17.0

FROM base AS dashboard
COPY --from=build-dashboard /venv /venv
# By number: Kubernetes cannot see that a named user is not root.
USER 10001:10001
EXPOSE 9181
# The queues and not the start page, which is shown without Redis too. No proxy: one that the
# environment names does not know this container.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(f\"http://127.0.0.1:{os.environ.get('RQ_DASHBOARD_PORT', '9181')}/0/data/queues.json\", timeout=5)"]
CMD ["python", "-m", "rq_dashboard", "--json"]

FROM base AS build
RUN python -m venv --without-pip /venv
COPY requirements.txt ./
# Wheels alone, but for two that come only as source and need no compiler; as script/common.sh.
# No libvips of a base image: pip would build pyvips's module for it, in place of the wheel's.
# NumPy, 65 MB, is needed by functions of pylibjxl alone that are never called.
RUN PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR=/nonexistent \
    /usr/local/bin/pip --python /venv/bin/python install --no-cache-dir \
    --only-binary :all: --no-binary pyvips,crontab -r requirements.txt \
    && /usr/local/bin/pip --python /venv/bin/python uninstall --yes numpy

FROM base AS server
# tini is the first process: it takes in what killed processes leave behind, and hands on signals.
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini=0.19.* \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /venv /venv
COPY config.yaml entrypoint.sh ./
COPY app app
COPY imaging imaging
COPY workers workers
# The code stays root's: the user can run it and not change it. It is compiled here as the user
# cannot, and made readable as a checkout under a strict umask is not.
RUN python -m compileall -q app imaging workers \
    && chmod -R a+rX . \
    && mkdir output data \
    && chown tinyimage:tinyimage output data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["/app/entrypoint.sh", "health"]
# No USER: a folder of the host that is mounted is often root's, and what starts as root here makes
# it usable, becomes the user 10001 and only then the server. Started as another user (`user:` of
# Compose, runAsUser of Kubernetes) it does without.
ENTRYPOINT ["/app/entrypoint.sh"]
CMD ["all"]
