FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --release --bin gatewright

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home gatewright && install -d -o gatewright -g gatewright /var/lib/gatewright
COPY --from=build /src/target/release/gatewright /usr/local/bin/gatewright
USER gatewright
VOLUME /var/lib/gatewright
EXPOSE 9443 8243 8280
HEALTHCHECK --interval=10s --start-period=10s CMD ["gatewright", "--home", "/var/lib/gatewright", "healthcheck"]
# Outside of loopback the node serves only with a password of its own: set GATEWRIGHT__SUPER_ADMIN__PASSWORD_FILE.
ENV GATEWRIGHT__SERVER__BIND=0.0.0.0
ENTRYPOINT ["gatewright", "--home", "/var/lib/gatewright"]
