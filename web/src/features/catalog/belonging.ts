/** Who and what belongs to an entity, near and far: parts of systems and domains, teams, members and what they own. Each is bounded. */
import { queryOptions } from '@tanstack/react-query'
import { get } from '~/api/client'
import { entityRef } from '~/api/refs'
import type { Entity, EntityPageResult } from '~/api/types'

const FIELDS = 'kind,metadata.name,metadata.namespace,metadata.title,metadata.description,spec.type,spec.lifecycle,spec.owner,spec.profile.displayName,relations' // prettier-ignore
const PAGE = 200
/** As many references fit into one filter, and as many filters are asked. */
const REFS = 40
const ASKED = 5
const LEVELS = 5

export type Found = { items: Entity[]; total: number }
async function ask(kinds: string | undefined, relation: string, refs: readonly string[]): Promise<Found> {
  const parts = Array.from({ length: Math.min(ASKED, Math.ceil(refs.length / REFS)) }, (_, n) => refs.slice(n * REFS, (n + 1) * REFS)) // prettier-ignore
  const pages = await Promise.all(
    parts.map((part) => {
      const filter = [...(kinds ? [`kind=${kinds}`] : []), ...part.map((r) => `relations.${relation}=${r}`)].join(',')
      return get<EntityPageResult>('/api/catalog/entities/by-query', { filter: [filter], limit: PAGE, fields: FIELDS, orderField: 'metadata.name,asc' }) // prettier-ignore
    }),
  )
  return merged(pages.map((p) => ({ items: p.items, total: p.totalItems })))
}

/** What several answers have, each entity once. */
function merged(answers: Found[]): Found {
  const items = [...new Map(answers.flatMap((a) => a.items).map((e) => [entityRef(e), e])).values()]
  const twice = answers.reduce((n, a) => n + a.items.length, 0) - items.length
  return { items, total: answers.reduce((n, a) => n + a.total, 0) - twice }
}

/** From some teams up or down the tree, level by level; the given ones are not part of the answer. */
async function teams(from: readonly string[], relation: 'childOf' | 'parentOf'): Promise<Entity[]> {
  const seen = new Set(from)
  const found: Entity[] = []
  let wave: readonly string[] = from
  for (let level = 0; level < LEVELS && wave.length; level++) {
    const fresh = (await ask('group', relation, wave)).items.filter((e) => !seen.has(entityRef(e)))
    for (const e of fresh) seen.add(entityRef(e))
    found.push(...fresh)
    wave = fresh.map(entityRef)
  }
  return found
}

/** Systems and subdomains of a domain, and all that is part of these; of a system, its parts. */
export const partsQuery = (ref: string) =>
  queryOptions({
    queryKey: ['entities', 'parts', ref],
    queryFn: async (): Promise<Found> => {
      const direct = await ask(undefined, 'partOf', [ref])
      const wholes = direct.items.filter((e) => /^(system|domain)$/i.test(e.kind)).map(entityRef)
      return merged([direct, await ask(undefined, 'partOf', wholes)])
    },
  })

export type People = { below: Entity[]; members: Found; further: Found }
/** A team's own members, the teams below it, and their members. */
export const teamQuery = (ref: string) =>
  queryOptions({
    queryKey: ['entities', 'team', ref],
    queryFn: async (): Promise<People> => {
      const [members, below] = await Promise.all([ask('user', 'memberOf', [ref]), teams([ref], 'childOf')])
      const direct = new Set(members.items.map(entityRef))
      const all = await ask('user', 'memberOf', below.map(entityRef))
      const further = all.items.filter((e) => !direct.has(entityRef(e)))
      return { below, members, further: { items: further, total: all.total - (all.items.length - further.length) } }
    },
  })

/** Teams of a person: those of which they are a member, and those above these. */
export const teamsOfQuery = (ref: string, direct: readonly string[]) =>
  queryOptions({ queryKey: ['entities', 'teams-of', ref, direct], queryFn: () => teams(direct, 'parentOf') })

export type Owned = { direct: Found; through: Found }
/** What an owner owns itself, and what is owned by those through whom it is responsible too. */
export const ownedQuery = (ref: string, others: readonly string[]) =>
  queryOptions({
    queryKey: ['entities', 'owned', ref, others],
    queryFn: async (): Promise<Owned> => {
      const [direct, through] = await Promise.all([ask(undefined, 'ownedBy', [ref]), ask(undefined, 'ownedBy', others)])
      return { direct, through }
    },
  })
