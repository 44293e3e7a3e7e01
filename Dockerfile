# Gatewright as an image: docker build -t gatewright .
#
# Both stages run conf/docker/build.sh, which does the same on a plain Debian machine. How nodes are put together from it is in
# conf/compose/. Beyond loopback a node serves only with a password of its own: set GATEWRIGHT__SUPER_ADMIN__PASSWORD_FILE.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN conf/docker/build.sh program /out

FROM debian:bookworm-slim
COPY conf/docker/build.sh /tmp/build.sh
RUN /tmp/build.sh runtime && rm /tmp/build.sh
COPY --from=build /out/gatewright /usr/local/bin/gatewright
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
VOLUME /var/lib/gatewright
EXPOSE 9443 8243 8280 9711
ENV GATEWRIGHT__SERVER__BIND=0.0.0.0 GATEWRIGHT__LOG__FORMAT=json
# Drains on SIGTERM within [server] drain_timeout: give `docker stop --time` more than its 10 s.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
    CMD ["gatewright", "--home", "/var/lib/gatewright", "healthcheck"]
ENTRYPOINT ["gatewright", "--home", "/var/lib/gatewright"]
