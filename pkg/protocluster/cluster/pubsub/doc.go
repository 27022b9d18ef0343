// Package pubsub publishes messages to topics: a topic is a virtual actor that
// sends what it is handed to all who subscribed, wherever they are.
//
// It promises that what one caller publishes reaches each subscriber in order and
// at most once, and that a subscription outlives its topic's actor: the node where
// it was made tells the topic again when the membership changes and every five
// seconds. It does not promise that everything arrives: what is published between
// the end of a topic's actor and that moment reaches only the subscribers that the
// new one has heard of. A subscriber that ends is forgotten, one whose node falls
// silent within fifteen seconds.
//
// It starts no goroutines that outlast a message. Members that host topics
// register Kind; a cluster without one answers *cluster.NoHostError.
//
// Read pubsub.go, then topic.go, then hub.go.
package pubsub
