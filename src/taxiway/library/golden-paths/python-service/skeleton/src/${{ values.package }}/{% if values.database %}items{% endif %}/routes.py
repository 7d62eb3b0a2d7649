"""HTTP face of the items resource."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from ..problems import RESPONSES
from .model import DuplicateNameError, Item, ItemPage, NewItem
from .repository import ItemRepository

MAX_ID = 2**63 - 1

router = APIRouter(prefix="/items", tags=["items"], responses=RESPONSES)


def _repository(request: Request) -> ItemRepository:
    repository: ItemRepository = request.app.state.items
    return repository


Items = Annotated[ItemRepository, Depends(_repository)]
ItemId = Annotated[int, Path(ge=1, le=MAX_ID)]


@router.post("", status_code=201)
async def create_item(new: NewItem, items: Items, response: Response) -> Item:
    try:
        item = await items.add(new)
    except DuplicateNameError as error:
        raise HTTPException(409, f"An item named {new.name!r} exists; choose another name.") from error
    response.headers["location"] = f"/items/{item.id}"
    return item


@router.get("")
async def list_items(
    items: Items,
    after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> ItemPage:
    """One more than the page is read, to know whether another page follows."""
    found = await items.list(after, limit + 1)
    page = found[:limit]
    return ItemPage(items=page, next_after=page[-1].id if len(found) > limit else None)


@router.get("/{item_id}")
async def get_item(item_id: ItemId, items: Items) -> Item:
    if (item := await items.get(item_id)) is None:
        raise HTTPException(404, f"There is no item {item_id}.")
    return item


@router.delete("/{item_id}", status_code=204)
async def delete_item(item_id: ItemId, items: Items) -> None:
    if not await items.delete(item_id):
        raise HTTPException(404, f"There is no item {item_id}.")
