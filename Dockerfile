# decant in a container: the package that scripts/package makes, on Debian 12. Runs as user 10001, writes to
# /var/lib/decant-server and /tmp alone, and so may have a read-only root.
#   docker build -t decant .                                  with the embedded models: 0.2 GB more
#   docker build -t decant --build-arg MODELS=no .            where Ollama or another server embeds
FROM debian:12-slim AS build
WORKDIR /src
COPY . .
# scripts/setup installs packages by the names of its own table, from Debian and by pinned digests.
RUN scripts/setup && scripts/package && mkdir /packages && mv build/release/packages/*.deb /packages/

FROM debian:12-slim
ARG MODELS=yes
# The number is known to who mounts volumes; the package finds the user there.
RUN groupadd --gid 10001 decant \
    && useradd --uid 10001 --gid decant --home-dir /var/lib/decant-server --shell /usr/sbin/nologin decant \
    && install --directory --owner decant --group decant --mode 750 /var/lib/decant-server
# The versions that a package needs stand in it; security updates come with a new build.
# hadolint ignore=DL3008
RUN --mount=type=bind,from=build,source=/packages,target=/packages \
    apt-get update \
    && if [ "$MODELS" = yes ]; then set -- /packages/decant-models_*.deb; else set --; fi \
    && apt-get install --yes --no-install-recommends systemd-standalone-sysusers /packages/decant_*.deb "$@" \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
WORKDIR /var/lib/decant-server
VOLUME /var/lib/decant-server
# Another address than loopback wants a key of `decant key create`, or JWT_SECRET_KEY_FILE.
ENV DECANT_HOME=/var/lib/decant-server DECANT_HOST=0.0.0.0 DECANT_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["/usr/lib/decant/health"]
ENTRYPOINT ["decant"]
CMD ["serve"]
