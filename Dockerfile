# Two images on nothing: only Python, the locked packages and the code are in them. No shell, no
# package manager, no pip. `make image` builds both.
#
# BASE is any image of Debian's or Docker's Python, 3.11 or newer, with pip or the means to get it
# (ensurepip); it is only built with, never shipped. PIP's configuration and an authority for a
# registry of your own can be given as the secrets `pip` and `ca`.
ARG BASE=docker.io/library/python:3.13-slim-bookworm
FROM ${BASE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
RUN python3 -m venv /build/tools
COPY requirements/runtime.txt requirements/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/run/ca.pem \
    /build/tools/bin/python -m pip install --no-compile --require-hashes --only-binary=:all: \
    --target /build/site -r requirements/runtime.txt
COPY image/prune.py image/modules.txt image/assemble.py image/
RUN python3 image/prune.py /build/site

FROM packages AS roots
ARG SOURCE_DATE_EPOCH=0
COPY operator/ operator/
COPY crds/ crds/
COPY LICENSE ./
RUN python3 image/assemble.py --site /build/site --package operator/appcredential \
    --crds crds --license LICENSE --root /roots/operator
RUN python3 image/assemble.py --site /build/site --package operator/entra_emulator \
    --license LICENSE --root /roots/emulator

FROM scratch AS emulator
ARG VERSION=unknown
COPY --from=roots /roots/emulator/ /
ENV PATH=/usr/local/bin:/usr/bin PYTHONPATH=/opt/app PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 LANG=C.UTF-8 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
LABEL org.opencontainers.image.title="appcredential entra emulator" \
      org.opencontainers.image.description="A stand-in for Microsoft Entra, for trials and tests only" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["/usr/bin/python3", "-m", "entra_emulator"]

FROM scratch AS operator
ARG VERSION=unknown
COPY --from=roots /roots/operator/ /
ENV PATH=/usr/local/bin:/usr/bin PYTHONPATH=/opt/app PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 LANG=C.UTF-8 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
LABEL org.opencontainers.image.title="appcredential" \
      org.opencontainers.image.description="Issues, proves, publishes and rotates Entra application credentials" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["/usr/bin/python3", "-m", "appcredential"]
CMD ["run"]
