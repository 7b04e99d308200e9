# For one platform: docker build -t kafka-delta .
# For both:         docker buildx build --platform linux/amd64,linux/arm64 -t registry.example.com/kafka-delta:0.1.0 --push .

# The Node that the tests run on. Slim, not distroless: `docker compose exec` and a shell are worth their 30 MB to whoever
# looks for a fault at night.
ARG NODE_IMAGE=node:20-bookworm-slim

# TypeScript becomes JavaScript on the machine that builds, whatever platform the image is for.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /opt/kafka-delta
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && chmod +x dist/src/cli/main.js

# What runs is installed for the platform of the image: codecs are native there, and npm takes the build that fits.
FROM ${NODE_IMAGE} AS modules
WORKDIR /opt/kafka-delta
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kafka-delta" \
      org.opencontainers.image.description="Carries Kafka topics into Delta Lake tables, exactly once." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The port is there in every container, so that its health can be asked; it answers on the loopback address of the container
# unless http.host (KAFKA_DELTA_HTTP_HOST) lets others in.
ENV NODE_ENV=production KAFKA_DELTA_HTTP_PORT=8080
WORKDIR /opt/kafka-delta
COPY package.json LICENSE ./
COPY --from=modules /opt/kafka-delta/node_modules ./node_modules
COPY --from=build /opt/kafka-delta/dist ./dist
COPY schemas ./schemas
COPY config/examples ./config/examples
RUN ln -s /opt/kafka-delta/dist/src/cli/main.js /usr/local/bin/kafka-delta

# The service writes nothing into its own file system: `docker run --read-only` is fine. A table on local disk needs a
# volume that this user may write to. By number, so that Kubernetes can tell that it is not root.
USER 1000:1000
EXPOSE 8080

# Signals reach the service as process 1, which drains on SIGTERM and starts no processes of its own: no init is needed. It
# takes up to 25 seconds: `docker stop --time 30`.
STOPSIGNAL SIGTERM
ENTRYPOINT ["kafka-delta"]
CMD ["--help"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["kafka-delta", "health"]
