/** Asks before what a source brought leaves the catalog, and says how much that is. Used by the pages of sources and of entities. */
import { Button, Modal } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { asApiError } from '~/api/errors'
import { removeSource, unregisterLocation } from '~/api/mutations'
import type { RefParts } from '~/api/refs'
import type { Source } from '~/api/types'
import { notifyDone } from '~/components/notify'
import { Refusal } from '~/components/Refusal'
import { Await, useRefresh } from '~/components/RouteStates'
import { amount } from '~/ui/time'
import s from './entity.module.css'
import { isConfigured, isImport, locationOfQuery, nameOf, sourceQuery } from './source-queries'

type Props = { onClose: () => void; onDone?: () => void }

export function UnregisterModal({ source: x, onClose, onDone }: Props & { source: Source }) {
  return (
    <Modal opened onClose={onClose} title={isConfigured(x) ? `Remove what ${nameOf(x)} brought?` : 'Unregister this source?'} size={480}>
      <Question source={x} onClose={onClose} onDone={onDone} />
    </Modal>
  ) // prettier-ignore
}

/** The same from an entity, whose source is looked up first. */
export function UnregisterEntityModal({ entity, onClose, onDone }: Props & { entity: RefParts }) {
  const location = useQuery({ ...locationOfQuery(entity), retry: false })
  const source = useQuery({ ...sourceQuery(location.data?.id ?? ''), enabled: location.data !== undefined, retry: false })
  const elsewhere = location.error !== null && asApiError(location.error).status === 404
  return (
    <Modal opened onClose={onClose} title="Unregister its source?" size={480}>
      {elsewhere ? (
        <p style={{ margin: 0 }}>
          It came from no registered location: a program pushed it, a source of the settings names it, or Taxiway ships it. It is
          removed there. <Link to="/catalog/sources" className={s.link}>All sources</Link>
        </p>
      ) : (
        <Await query={location} rows={3}>
          {() => <Await query={source} rows={3}>{(x) => <Question source={x} onClose={onClose} onDone={onDone} />}</Await>}
        </Await>
      )}
    </Modal>
  ) // prettier-ignore
}

function Question({ source: x, onClose, onDone }: Props & { source: Source }) {
  const refresh = useRefresh()
  const remove = useMutation({
    mutationFn: async () => (isConfigured(x) ? void (await removeSource(nameOf(x))) : unregisterLocation(x.id)),
    onSuccess: async () => {
      notifyDone(isConfigured(x) ? 'What it brought is removed' : 'Unregistered', `${entities(x)} left the catalog.`)
      onClose()
      onDone?.()
      await refresh('sources', 'entities', 'facets', 'kinds', 'problems')
    },
  })
  return (
    <>
      <p className="mono" style={{ margin: 0, overflowWrap: 'anywhere' }}>{x.target}</p>
      <p>
        {entities(x)} {x.entities === 1 ? 'leaves' : 'leave'} the catalog at once. {backOf(x)}
      </p>
      <Refusal error={remove.error} />
      <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end', marginTop: 14 }}>
        <Button variant="default" onClick={onClose} data-autofocus>Keep it</Button>
        <Button variant="outline" color="red" loading={remove.isPending} onClick={() => remove.mutate()}>{isConfigured(x) ? 'Remove' : 'Unregister'}</Button>
      </div>
    </>
  ) // prettier-ignore
}

const backOf = (x: Source) =>
  isImport(x)
    ? 'Importing it again brings them back.'
    : `The files stay where they are: ${isConfigured(x) ? 'reading the source' : 'registering it'} again brings them back.`
const entities = (x: Source) => amount(x.entities, 'entity', 'entities')
