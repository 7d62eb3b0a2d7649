/** OpenTelemetry: spans always exist, so that logs carry a trace id; they are exported only to a configured endpoint. */
import { context, propagation, type Tracer, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { SERVICE } from './service.js'

/** Install what is global to the process; the caller shuts the provider down so that the last spans are sent. */
export function configureTracing(otlpEndpoint: string | undefined): BasicTracerProvider {
  const exporting = otlpEndpoint
    ? [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${otlpEndpoint.replace(/\/+$/, '')}/v1/traces` }))]
    : []
  const provider = new BasicTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': SERVICE })),
    spanProcessors: exporting,
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(provider)
  return provider
}

export function tracer(): Tracer {
  return trace.getTracer(SERVICE)
}
