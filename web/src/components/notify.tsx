import { notifications } from '@mantine/notifications'
import { asApiError } from '~/api/errors'
import { Detail } from './Detail'

export const notifyDone = (title: string, message?: string) =>
  notifications.show({ title, message: message ?? '', color: 'teal', autoClose: 5000 })
/** A refused write: the sentence of the server, its code and its request id. */
export function notifyError(title: string, raw: unknown) {
  const e = asApiError(raw)
  const trace = [e.code, e.requestId].filter(Boolean).join(' · ')
  notifications.show({
    title,
    color: 'red',
    autoClose: 12_000,
    message: (
      <>
        <Detail error={e} />
        <div className="mono t3">{trace}</div>
      </>
    ),
  })
}
