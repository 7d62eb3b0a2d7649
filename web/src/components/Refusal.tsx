import { Alert } from '@mantine/core'
import { asApiError } from '~/api/errors'
import { Detail } from './Detail'

/** A refused write, beside what was asked: the server's sentence, what to do next, and how to find it in the log. */
export function Refusal({ error: raw }: { error: unknown }) {
  if (!raw) return null
  const error = asApiError(raw)
  return (
    <Alert color="red" variant="light" role="alert" mt={14}>
      <Detail error={error} />
      {error.errors.map((e) => (
        <div key={e.pointer + e.detail}>
          <code className="mono">{e.pointer}</code> {e.detail}
        </div>
      ))}
      {error.code === 'unreachable' ? (
        <div>If this was a change, it may have been made all the same: look before you repeat it.</div>
      ) : (
        error.retryable && <div>Nothing was changed. Try again in a moment.</div>
      )}
      <div className="mono t3" style={{ marginTop: 4, overflowWrap: 'anywhere' }}>
        {[error.code, error.requestId].filter(Boolean).join(' · ')}
      </div>
    </Alert>
  )
}
