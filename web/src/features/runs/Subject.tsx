import { EntityLink } from '~/components/EntityLink'

/** What a run is about. A repository is no entity of the catalog, so it gets no link. */
export const Subject = ({ subject }: { subject: string }) =>
  /^[a-z]+:[^/]+\/[^/]+$/i.test(subject) ? (
    <EntityLink entity={subject} size={16} />
  ) : (
    <span className="t2 trunc">{subject.replace(':', ' ')}</span>
  )
