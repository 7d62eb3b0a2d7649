/** Typed settings, read once at start from environment variables. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface Settings {
  /** Address to listen on; the container image sets 0.0.0.0. */
  readonly host: string
  readonly port: number
  readonly logLevel: LogLevel
  /** Base URL of an OTLP/HTTP collector; traces are sent when it is set. */
  readonly otlpEndpoint: string | undefined
  /** Unready but still serving after SIGTERM. */
  readonly drainSeconds: number
  /** Limit for requests still under way. */
  readonly timeoutSeconds: number
{%- if values.database %}
  readonly database: DatabaseSettings
{%- endif %}
}
{%- if values.database %}

export interface DatabaseSettings {
  readonly host: string
  readonly port: number
  readonly name: string
  readonly user: string
  readonly password: string
  /** Connections held at most. */
  readonly poolSize: number
}
{%- endif %}

/** Names each variable that is missing or wrong. */
export class SettingsError extends Error {
  constructor(problems: readonly string[]) {
    super(`Settings are not valid; set these environment variables:\n${problems.map((one) => `  ${one}`).join('\n')}`)
  }
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  const problems: string[] = []

  const text = (name: string, fallback?: string): string => {
    const value = env[name] || fallback
    if (value === undefined) problems.push(`${name}: it is required`)
    return value ?? ''
  }
  const number = (name: string, fallback: number, least: number, most: number): number => {
    const value = Number(env[name] || fallback)
    if (!(value >= least && value <= most)) problems.push(`${name}: it must be a number from ${least} to ${most}`)
    return value
  }
  const level = text('LOG_LEVEL', 'info').toLowerCase().replace('warning', 'warn') as LogLevel
  if (!LEVELS.includes(level)) problems.push(`LOG_LEVEL: it must be one of ${LEVELS.join(', ')}`)

  const settings: Settings = {
    host: text('HOST', '127.0.0.1'),
    port: number('PORT', 8080, 0, 65535),
    logLevel: level,
    otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT || undefined,
    drainSeconds: number('SHUTDOWN_DRAIN_SECONDS', 1, 0, 600),
    timeoutSeconds: number('SHUTDOWN_TIMEOUT_SECONDS', 20, 1, 600),
{%- if values.database %}
    database: {
      host: text('DATABASE_HOST'),
      port: number('DATABASE_PORT', 5432, 1, 65535),
      name: text('DATABASE_NAME'),
      user: text('DATABASE_USER'),
      password: text('DATABASE_PASSWORD'),
      poolSize: number('DATABASE_POOL_SIZE', 5, 1, 100),
    },
{%- endif %}
  }
  if (problems.length > 0) throw new SettingsError(problems)
  return settings
}
