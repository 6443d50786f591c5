"""The tracks, by name."""

from ..benchmark_programs import unknown_name
from ..errors import TaskError
from .attribution_track import AttributionTrack
from .circuit_track import CircuitTrack
from .features_track import FeaturesTrack
from .program_track import ProgramTrack
from .track import Track
from .variables_track import VariablesTrack

CIRCUIT = CircuitTrack.name
FEATURES = FeaturesTrack.name

TRACKS: dict[str, Track] = {
    track.name: track
    for track in (
        CircuitTrack(),
        AttributionTrack(),
        FeaturesTrack(),
        VariablesTrack(),
        ProgramTrack(),
    )
}
"""The tracks, each with the question that it asks by default."""


def find_track(track: str | Track) -> Track:
    """Return a track by name.

    Raises:
        TaskError: there is no such track.
    """
    if isinstance(track, Track):
        return track
    if not isinstance(track, str) or track not in TRACKS:
        raise TaskError(unknown_name("track", str(track), TRACKS))
    return TRACKS[track]
