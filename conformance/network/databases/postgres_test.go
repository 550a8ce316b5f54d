package databases

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
)

var postgres = flag.String("postgres", "", "the `URL` of a database of PostgreSQL")

func database(t *testing.T) (context.Context, string) {
	if *postgres == "" {
		t.Skip("no -postgres is given")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx, *postgres
}

func TestPostgres(t *testing.T) {
	ctx, url := database(t)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "create temporary table people (name text, born date, tags text[])"); err != nil {
		t.Fatal(err)
	}
	born := time.Date(1815, 12, 10, 0, 0, 0, 0, time.UTC)
	if _, err := conn.Exec(ctx, "insert into people values ($1, $2, $3)", "Ada", born, []string{"first"}); err != nil {
		t.Fatal(err)
	}
	rows := make([][]any, 10_000)
	for i := range rows {
		rows[i] = []any{fmt.Sprint("somebody ", i), born, []string{}}
	}
	if n, err := conn.CopyFrom(ctx, pgx.Identifier{"people"}, []string{"name", "born", "tags"}, pgx.CopyFromRows(rows)); err != nil || n != 10_000 {
		t.Fatalf("copied %d, %v", n, err)
	}
	var name string
	var when time.Time
	var tags []string
	err = conn.QueryRow(ctx, "select name, born, tags from people where tags <> '{}'").Scan(&name, &when, &tags)
	if err != nil || name != "Ada" || !when.Equal(born) || len(tags) != 1 {
		t.Errorf("%s %v %v, %v", name, when, tags, err)
	}
	var failed *pgconn.PgError
	if _, err := conn.Exec(ctx, "select 1/0"); !errors.As(err, &failed) || failed.Code != "22012" {
		t.Errorf("%v", err)
	}
}

func TestPostgresPool(t *testing.T) {
	ctx, url := database(t)
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var got int
			if err := pool.QueryRow(ctx, "select $1::int * 2", i).Scan(&got); err != nil || got != 2*i {
				t.Errorf("%d, %v", got, err)
			}
		}()
	}
	wg.Wait()
}

func TestPostgresCancel(t *testing.T) {
	ctx, url := database(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := db.ExecContext(short, "select pg_sleep(30)"); err == nil || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	var one int
	if err := db.QueryRowContext(ctx, "select 1").Scan(&one); err != nil || one != 1 {
		t.Errorf("%d, %v", one, err)
	}
}

func TestPostgresListens(t *testing.T) {
	ctx, url := database(t)
	listener, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close(ctx)
	if _, err := listener.Exec(ctx, "listen news"); err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(50 * time.Millisecond)
		if conn, err := pgx.Connect(ctx, url); err == nil {
			conn.Exec(ctx, "notify news, 'it works'")
			conn.Close(ctx)
		}
	}()
	news, err := listener.WaitForNotification(ctx)
	if err != nil || news.Payload != "it works" {
		t.Errorf("%v, %v", news, err)
	}
}
