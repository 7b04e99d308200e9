# Built once with everything, shipped with what runs.
FROM node:20-bookworm-slim AS build
WORKDIR /opt/kafka-delta
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/kafka-delta
COPY --from=build /opt/kafka-delta/package.json /opt/kafka-delta/LICENSE ./
COPY --from=build /opt/kafka-delta/node_modules ./node_modules
COPY --from=build /opt/kafka-delta/dist ./dist
COPY schemas ./schemas
COPY config/examples ./config/examples
COPY docker ./docker
RUN chmod +x dist/src/cli/main.js && ln -s /opt/kafka-delta/dist/src/cli/main.js /usr/local/bin/kafka-delta

# The service writes nothing into its own file system: `docker run --read-only` is fine. A table on local disk needs a
# volume that this user may write to.
USER node

# Signals reach the service as process 1, which drains on SIGTERM and starts no processes of its own: no init is needed.
ENTRYPOINT ["kafka-delta"]
CMD ["--help"]
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 CMD ["/bin/sh", "docker/healthy.sh"]
