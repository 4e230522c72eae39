// Package cluster shares the photos of one run between machines, on NATS JetStream.
//
// The coordinator is the run on the machine with the photos. It alone writes results. Nodes are other machines; they get photos and
// return what their workers answered. JetStream carries jobs and results:
//
//	coordinator                                    node
//	ask.NODE.hello  <───────────────────────────── name, version
//	                ─────────────────────────────> settings, model, what workers are told; or why it is refused
//	job             ──── stream JOBS ────────────> ID, path, size; as many as it has slots
//	ask.NODE.photo  <───────────────────────────── ID, path, offset
//	                ─────────────────────────────> one chunk of the photo
//	result.NODE     <─── stream RESULTS ────────── ID, path, what the worker answered
//	ask.NODE.beat   <───────────────────────────── what it has in flight, every few seconds
//
// JOBS is a bounded work queue. A job that is neither acknowledged nor marked as in progress within AckWait goes to another node. A
// node acknowledges a job after the stream RESULTS has its result. Both streams may be lost at any time, because the coordinator keeps a
// list of what has no result yet ([ledger]) and publishes it again when the queue is empty. The first result of a photo counts.
//
// A job's ID is a MAC of its path under a secret of the coordinator. So a node can ask for photos and answer for photos only if it
// was given them, whatever path it names, and a coordinator that was restarted knows results of jobs that it handed out before.
//
// Nothing here knows what is in a result or how a photo is described.
package cluster
