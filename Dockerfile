# For one platform:   docker build -t kafka-delta .
# For both platforms: docker buildx build --platform linux/amd64,linux/arm64 -t registry.example.com/kafka-delta:0.1.0 --push .

# The active long-term release of Node.js; the package runs on 20, 22 and 24. The slim image is 30 MB larger than distroless, but
# has a shell for `docker compose exec`.
ARG NODE_IMAGE=node:24-bookworm-slim

# Compiles TypeScript on the platform of the build machine. The output is the same for every platform of the image.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /opt/kafka-delta
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build

# Installs the dependencies on the platform of the image, because npm chooses the native codecs by platform.
FROM ${NODE_IMAGE} AS modules
WORKDIR /opt/kafka-delta
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kafka-delta" \
      org.opencontainers.image.description="Writes Kafka topics into Delta Lake tables, exactly once." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The service listens on this port in every container, so that its health can be checked. It uses the loopback address of
# the container. Set http.host (KAFKA_DELTA_HTTP_HOST) to make it reachable from outside.
ENV NODE_ENV=production KAFKA_DELTA_HTTP_PORT=8080
# kafkajs sets timers in the past, which is harmless; Node 24 prints a warning about it between the lines of the log.
ENV NODE_OPTIONS=--disable-warning=TimeoutNegativeWarning
WORKDIR /opt/kafka-delta
COPY package.json LICENSE ./
COPY --from=modules /opt/kafka-delta/node_modules ./node_modules
COPY --from=build /opt/kafka-delta/dist ./dist
COPY schemas ./schemas
COPY config/examples ./config/examples
RUN ln -s /opt/kafka-delta/dist/command/main.js /usr/local/bin/kafka-delta

# The service does not write to its own file system, so `docker run --read-only` works. A table on local disk needs a volume
# that this user may write to. The user is a number, so that Kubernetes can check that it is not root.
USER 1000:1000
EXPOSE 8080

# The service is process 1. It commits what it has read on SIGTERM and starts no other processes, so it needs no init.
# Stopping takes up to 25 seconds: use `docker stop --time 30`.
STOPSIGNAL SIGTERM
ENTRYPOINT ["kafka-delta"]
CMD ["--help"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["kafka-delta", "health"]
