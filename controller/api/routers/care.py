"""/healthz, /readyz and /metrics: what machines ask of the controller itself."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response, StreamingResponse

from controller.api.access import Here
from controller.api.metrics import CONTENT_TYPE, city_metrics, district_metrics
from controller.api.problems import Problem
from tenone.vocabulary.scope import ScopePath

router = APIRouter(tags=["care"])


@router.get("/healthz")
async def healthz() -> JSONResponse:
    """The process answers. Nothing more is promised here."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
async def readyz(services: Here) -> JSONResponse:
    """200 when every part is ready, else 503; each part says its sentence."""
    parts = [source() for source in services.health]
    ready = all(part.ready for part in parts)
    return JSONResponse(
        {
            "status": "ready" if ready else "not ready",
            "parts": [
                {"name": part.name, "ready": part.ready, "sentence": part.sentence}
                for part in parts
            ],
        },
        200 if ready else 503,
    )


@router.get("/metrics")
async def metrics(services: Here) -> Response:
    """School aggregates, every link that is not good, and the controller's own figures."""
    return StreamingResponse(city_metrics(services), headers={"content-type": CONTENT_TYPE})


@router.get("/metrics/links")
async def metrics_links(services: Here, district: str = "") -> Response:
    """All links of one district: a city in one scrape would be too much."""
    for view in services.city.districts(ScopePath()):
        if district and view.scope.parts[-1] == district:
            text = district_metrics(services, view.scope)
            return StreamingResponse(text, headers={"content-type": CONTENT_TYPE})
    raise Problem(404, f"district: there is no district {district!r}; ask ?district=<slug>.")
