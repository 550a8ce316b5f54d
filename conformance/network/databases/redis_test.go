package databases

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

var redisAddress = flag.String("redis", "", "the `address` of a Redis server")

func store(t *testing.T) (context.Context, *redis.Client) {
	if *redisAddress == "" {
		t.Skip("no -redis is given")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	client := redis.NewClient(&redis.Options{Addr: *redisAddress, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close(); cancel() })
	return ctx, client
}

func TestRedis(t *testing.T) {
	ctx, client := store(t)
	big := strings.Repeat("0123456789abcdef", 1<<16)
	if err := client.Set(ctx, "big", big, time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	if got, err := client.Get(ctx, "big").Result(); err != nil || got != big {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := client.Get(ctx, "nothing").Result(); !errors.Is(err, redis.Nil) {
		t.Errorf("%v", err)
	}
	said, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for range 1000 {
			p.Incr(ctx, "count")
		}
		return nil
	})
	if err != nil || len(said) != 1000 {
		t.Fatalf("%d answers, %v", len(said), err)
	}
	if n, err := client.Get(ctx, "count").Int(); err != nil || n != 1000 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestRedisTellsSubscribers(t *testing.T) {
	ctx, client := store(t)
	sub := client.Subscribe(ctx, "news")
	defer sub.Close()
	if _, err := sub.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if n, err := client.Publish(ctx, "news", fmt.Sprint(i)).Result(); err != nil || n != 1 {
			t.Fatalf("%d subscribers, %v", n, err)
		}
	}
	for i := range 100 {
		message, err := sub.ReceiveMessage(ctx)
		if err != nil || message.Payload != fmt.Sprint(i) {
			t.Fatalf("%v, %v", message, err)
		}
	}
}

func TestRedisWaitIsEnded(t *testing.T) {
	ctx, client := store(t)
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := client.BLPop(short, 0, "nobody fills this").Err()
	if err == nil || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
